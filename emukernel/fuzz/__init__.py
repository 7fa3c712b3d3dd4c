"""Finding what is wrong with filters, by running programs under them."""
