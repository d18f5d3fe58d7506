from pathlib import Path

import pandas as pd
import pytest

from debugset.pool.fault import Fault


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_has_words_for_people_that_are_not_its_name(fault: Fault) -> None:
    assert fault.text
    assert fault.text != fault
    assert Fault(str(fault)) is fault


def test_a_table_holds_faults_as_plain_texts(tmp_path: Path) -> None:
    pd.DataFrame({"fault": ["", Fault.GONE]}).to_parquet(tmp_path / "table.parquet")
    assert [type(fault) for fault in pd.read_parquet(tmp_path / "table.parquet")["fault"]] == [str, str]
