"""How the parts of the system are doing: health now; metrics and audit have their place here."""
