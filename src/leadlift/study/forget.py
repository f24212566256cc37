"""`leadlift forget`: erases a client from an experiment's ledger."""

from __future__ import annotations

from pathlib import Path

from leadlift.base.yaml import read_experiment
from leadlift.data.ledger import Forgotten, forget_organisation
from leadlift.data.ledger.opening import WAIT
from leadlift.study.import_ import ledger_path


def forget_client(config: str | Path, organisation: str, *, wait: float = WAIT) -> Forgotten:
    """Erases all that the ledger holds of one organisation, merged ones included; the chain still verifies.

    Args:
        config: path of the configuration that names the ledger.
        organisation: its identifier, to the letter.
        wait: seconds to wait for another process that has the ledger open.

    Raises:
        ConfigError: the configuration can't be used, or names no ledger.
        FileError: the ledger can't be read or written; it is as it was.
        DataError: the ledger does not know the organisation.
    """
    path = Path(config)
    return forget_organisation(ledger_path(read_experiment(path), path.parent), organisation, wait=wait)
