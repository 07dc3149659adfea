"""Helpers that tests of several rooms share; test modules never import each other."""
