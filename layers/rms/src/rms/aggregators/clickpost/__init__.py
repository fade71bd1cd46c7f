"""Clickpost: books parcels with any carrier, returns and forward, and reports their scans. Source: ClickPost guide.

An account at Clickpost, as configuration (`Account.options`, all text):

| option                    | must | what                                                                         |
| ------------------------- | ---- | ---------------------------------------------------------------------------- |
| `username`                | yes  | the user name of the API; may stand in the secrets instead                   |
| `courier_partner`         | yes  | id of the carrier that collects returns, the *reverse* one: 25 for Delhivery |
| `account_code`            | yes  | name of that carrier's account on Clickpost's dashboard                      |
| `forward_courier_partner` | no   | id of the carrier that delivers orders, the *forward* one: 4 for Delhivery   |
| `forward_account_code`    | no   | name of that carrier's account; without these two nothing is sent forward    |
| `base_url`                | no   | `https://www.clickpost.in/api` unless given                                  |
| `tracking_base_url`       | no   | `https://api.clickpost.in/api`, or `base_url` where that is given            |
| `qc_params`               | no   | checks of a doorstep QC, with commas; without it Clickpost's set-up decides  |
| `channel_name`            | no   | sales channel shown on the dashboard                                         |

`Account.secrets` holds `key`, the API key. `Clickpost.check_account` says what is wrong with an account before it is
saved.
"""

from rms.aggregators.clickpost.adapter import Clickpost

__all__ = ["Clickpost"]
