"""Models to be had from the Hub: what there is, in which ways, and downloading them."""
