"""Everything that touches the browser. Only plain values leave this package."""
