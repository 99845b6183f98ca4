"""What a selection is to be good at: one small class each, and the words they are written in."""
