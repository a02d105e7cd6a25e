"""Writers: a network as another framework's file. Pure: a network in, bytes out; no framework is imported."""
