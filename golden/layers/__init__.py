"""Arithmetic of a layer, shared by golden's core and its schedule."""
