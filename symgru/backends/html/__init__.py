"""The documents as one web page that needs nothing but itself."""
