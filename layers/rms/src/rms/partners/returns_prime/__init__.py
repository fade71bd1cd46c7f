"""Returns Prime, a returns app for Shopify shops. It publishes no API reference: all here is what its integrators do.

Its webhooks prove nothing: they only say which request to read again through its API, and what counts is what that
says. Source: Returns Prime guide.

A connection, as configuration (`Connection.options`, all text):

| option               | must | what                                                                                  |
| -------------------- | ---- | ------------------------------------------------------------------------------------- |
| `location_code`      | yes  | the warehouse that its returns go to                                                  |
| `forward_order_code` | no   | how the forward order is called here: by Shopify's `id` (unless given) or its `name`  |
| `courier`            | no   | the courier's name where Returns Prime gives an AWB and no name; `SHIPROCKET`         |
| `account`            | no   | alias of the aggregator account that Returns Prime books with; unless given, the      |
|                      |      | client's own choice, as for a return that its channel booked                          |
| `drop_…`             | no   | the warehouse's address: `drop_name`, `drop_line1`, `drop_city`, `drop_state`,        |
|                      |      | `drop_zip`, `drop_country`, `drop_email`, `drop_phone`, all or none; `drop_line2` too |
| `write_back`         | no   | what is told after QC by its own API: `off` (unless given), `status`, `inspection`    |
|                      |      | or `both`; one integrator alone has seen these calls                                  |
| `rejects_failed`     | no   | `yes`: a request whose items all fail QC is rejected; `no` unless given               |
| `pass_condition`,    | no   | the condition that a passed and a failed request is said to be in; `PASS` and `FAIL`  |
| `fail_condition`     |      |                                                                                       |
| `base_url`           | no   | `https://admin.returnprime.com` unless given                                          |

`Connection.secrets` holds `token`. `check_connection` says what is wrong with one before it is saved.
"""

from rms.partners.returns_prime.answers import read_numbered, read_page, read_request, without_bank
from rms.partners.returns_prime.connection import Settings, check_connection
from rms.partners.returns_prime.orders import Made, return_orders, wanted_skus
from rms.partners.returns_prime.request import Line, Mark, Request
from rms.partners.returns_prime.requests import ask_again, ask_for_number, ask_for_page, subscribe
from rms.partners.returns_prime.statuses import COURSES, Stage, shipment_status, stage_of
from rms.partners.returns_prime.webhook import Notice, Topic, read_webhook
from rms.partners.returns_prime.write_back import (
    NotOffered,
    Standing,
    Verdict,
    Write,
    Written,
    body_digest,
    read_written,
    standing,
    told_already,
    write_back,
)

__all__ = [
    "COURSES",
    "Line",
    "Made",
    "Mark",
    "NotOffered",
    "Notice",
    "Request",
    "Settings",
    "Stage",
    "Standing",
    "Topic",
    "Verdict",
    "Write",
    "Written",
    "ask_again",
    "ask_for_number",
    "ask_for_page",
    "body_digest",
    "check_connection",
    "read_numbered",
    "read_page",
    "read_request",
    "read_webhook",
    "read_written",
    "return_orders",
    "shipment_status",
    "stage_of",
    "standing",
    "subscribe",
    "told_already",
    "wanted_skus",
    "without_bank",
    "write_back",
]
