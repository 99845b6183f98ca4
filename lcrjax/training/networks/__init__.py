"""Networks that are trained, and how they are executed."""
