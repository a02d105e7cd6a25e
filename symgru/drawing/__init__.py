"""Pictures of a network: what is drawn, apart from how a format writes it."""
