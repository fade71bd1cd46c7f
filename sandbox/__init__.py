"""Simulated partners that speak real HTTP on 127.0.0.1 and go wrong on demand. Standard library only; see README.md."""
