"""hoptrace: ask a multi-hop question over your own documents; every hop traced to its characters."""
