"""How fast the reference layers are beside the libraries' own: `python -m bench`."""
