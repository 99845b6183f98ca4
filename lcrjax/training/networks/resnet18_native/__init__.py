"""ResNet-18 by kernels in C, one model at a time: forwards, gradient, Adam and initial weights."""
