"""What a neural network on DNA has learned, by maximum-entropy sampling."""

__version__ = "0.1.0"
