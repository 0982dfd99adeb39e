"""Bytes in, artefacts kept: photos of strangers, files of packages and hubs, whole or not there."""
