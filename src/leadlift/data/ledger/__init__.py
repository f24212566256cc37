"""The ledger: a workspace's tables in one DuckDB file, written whole or not at all.

`leadlift.data.ledger.imports` brings rows in; `leadlift.data.ledger.outcomes` and `.features` read them out.
"""

from leadlift.data.ledger.chain import ChainCheck, verify_ledger
from leadlift.data.ledger.deals import ledger_deals
from leadlift.data.ledger.forget import Forgotten, forget_organisation
from leadlift.data.ledger.opening import make_ledger
from leadlift.data.ledger.store import Appended, LeadRows, LedgerAssignments, LedgerStore
from leadlift.data.ledger.studies import RecordedStudy, record_study, recorded_studies

__all__ = [
    "Appended",
    "ChainCheck",
    "Forgotten",
    "LeadRows",
    "LedgerAssignments",
    "LedgerStore",
    "RecordedStudy",
    "forget_organisation",
    "ledger_deals",
    "make_ledger",
    "record_study",
    "recorded_studies",
    "verify_ledger",
]
