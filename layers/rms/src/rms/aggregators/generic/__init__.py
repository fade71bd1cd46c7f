"""Any aggregator that speaks RMS's own contract: it is added by configuration, without code.

Its name is whatever was registered: `GenericAggregator(name)` is the adapter of that name. Source: RMS API contract,
sections 8 to 12.

An account at such an aggregator, as configuration (`Account.options`, all text):

| option                        | must   | what                                                                        |
| ----------------------------- | ------ | --------------------------------------------------------------------------- |
| `generate_return_awb_url`     | either | Generate Return AWB; may be the same as for forward                         |
| `get_return_awb_url`          | either | Get Return AWB; may be the same as for forward                              |
| `generate_shipping_label_url` | or     | Generate Shipping Label                                                     |
| `get_shipping_label_url`      | or     | Get Shipping Label                                                          |
| `get_couriers_url`            | no     | Get Courier Recommendation; without it the aggregator chooses by itself     |
| `answers_repeats`             | yes    | `yes`: the aggregator promises to answer a repeated orderNumber with the   |
|                               |        | AWB already made; without that promise no lost answer could be found again  |

Each of `Account.secrets` is a header that the aggregator gave for this organisation: the header's name is the key, the
header's value the secret. `check_account` says what is wrong with an account before it is saved.

The contract has no call that cancels and none that tracks: `cancel` is a refusal, `tracked_at_once` is 0. What the
aggregator pushes comes in by an API of ours, whose handler asks `problems_with` before it takes a body.
"""

from rms.aggregators.generic.account import check_account
from rms.aggregators.generic.adapter import GenericAggregator
from rms.aggregators.generic.push import problems_with

__all__ = ["GenericAggregator", "check_account", "problems_with"]
