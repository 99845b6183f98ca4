"""Predictors of which of two datasets makes the better model, fitted to studies."""
