"""Which version of the package this is: it stands in everything that is handed on."""

__all__ = ["__version__"]

__version__ = "0.1.0"
