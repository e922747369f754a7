"""Texts as data that remembers where each thing stands, bounded so that no file can hang a run."""
