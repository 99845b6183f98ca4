"""More measures of a finished study's subsets, without training: against images they lack, too."""
