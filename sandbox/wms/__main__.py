"""`python -m sandbox.wms`: run a warehouse system until stopped."""

from sandbox.posting import serve
from sandbox.wms.sandbox import WmsSandbox

if __name__ == "__main__":
    serve(WmsSandbox, "wms", "A warehouse system.")
