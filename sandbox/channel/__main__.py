"""`python -m sandbox.channel`: run a sales channel until stopped."""

from sandbox.channel.sandbox import ChannelSandbox
from sandbox.posting import serve

if __name__ == "__main__":
    serve(ChannelSandbox, "channel", "A sales channel.")
