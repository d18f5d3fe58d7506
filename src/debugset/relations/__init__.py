"""Relations between attributes inside a network, against the true ones (Zhang, Wang and Zhu 2018)."""
