"""Boards: the host link, the system that every board runs, platforms and bitstreams."""
