"""`python -m sandbox.erp`: run a client's ERP until stopped."""

from sandbox.erp.sandbox import ErpSandbox
from sandbox.posting import serve

if __name__ == "__main__":
    serve(ErpSandbox, "erp", "A client's ERP.")
