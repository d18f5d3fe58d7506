"""Relations between attributes inside a network, against the true ones (Zhang, Wang and Zhu 2018)."""

from debugset.relations.diagnosis import diagnose
from debugset.relations.kullback_leibler import divergence
from debugset.relations.similarity import cosines

__all__ = ["cosines", "diagnose", "divergence"]
