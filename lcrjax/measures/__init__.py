"""The LCR family of diversities, from abundances and ordinariness."""
