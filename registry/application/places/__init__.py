"""Institutions and sites, and the catalogues by which places are known."""
