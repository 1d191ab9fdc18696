"""What happened: distributions, harvest lists, baskets, the roster. Imports `amap`'s ground and `contracts`."""
