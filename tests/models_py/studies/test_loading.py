"""Study files: what is read, and one line for each thing that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_py.base.errors import StudyError
from models_py.studies.listing import DEFAULT, shipped_studies
from models_py.studies.loading import load_study

STUDY = """\
title = "Own"
table = "gold.own_customers"
entity = "customer_id"
{top}
[features]
include = ["spend_*"]
{features}
[[algorithms]]
{algorithm}
{rest}
"""
KMEANS = 'name = "kmeans"\nk = [2, 4]'


def write(
    folder: Path, top: str = "", features: str = "", algorithm: str = KMEANS, rest: str = ""
) -> str:
    path = folder / "own.toml"
    path.write_text(STUDY.format(top=top, features=features, algorithm=algorithm, rest=rest))
    return str(path)


def refusal(file: str) -> str:
    with pytest.raises(StudyError) as refused:
        load_study(file)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_shipped_studies_are_read() -> None:
    names = list(shipped_studies())
    assert DEFAULT in names
    assert {"grocery_lifestages", "grocery_stores", "grocery_autoencoder"} <= set(names)
    for name in names:
        study = load_study(name)
        assert study.name == name
        assert study.title


def test_shipped_presets() -> None:
    default = load_study(DEFAULT)
    assert {a.name: a.ks for a in default.algorithms} == {
        "kmeans": list(range(2, 11)),
        "ward": list(range(2, 11)),
    }
    assert (default.outliers.method, default.encoding[0].kind) == ("isolation_forest", "pca")
    stages = load_study("grocery_lifestages")
    assert stages.partition_by == "life_stage"
    assert [(a.name, a.ks, a.parameters) for a in stages.algorithms] == [
        (linkage, list(range(2, 7)), {"metric": "cosine"}) for linkage in ("complete", "average")
    ]
    assert (stages.choose.by, stages.choose.when_unstable) == ("rule", "one_segment")
    assert load_study("grocery_stores").partition_by == "store_format"
    for name, partition_by in [
        ("grocery_agglomerative", None),
        ("grocery_agglomerative_stages", "life_stage"),
        ("grocery_agglomerative_stores", "main_store_format"),
    ]:
        study = load_study(name)
        assert study.partition_by == partition_by
        assert [(a.name, a.ks, a.parameters) for a in study.algorithms] == [
            (linkage, list(range(2, 11)), {"metric": "cosine"})
            for linkage in ("complete", "average", "single")
        ]
        assert (study.choose.algorithm, study.choose.k) == ("complete", 2)
        assert study.features.incomplete == "drop_after_scaling"
    assert "autoencoder" in load_study("grocery_autoencoder").extras
    assert default.extras == ["report"]


def test_a_preset_algorithm_is_one_of_the_studys(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"choose.algorithm = 'ward' is none of the .*\(kmeans\)"):
        load_study(write(tmp_path, rest='[choose]\nalgorithm = "ward"'))


def test_a_file_takes_its_own_name_and_the_defaults(tmp_path: Path) -> None:
    study = load_study(write(tmp_path))
    assert study.name == "own"
    assert study.schema_and_name == ("gold", "own_customers")
    assert (study.seed, study.encoding[0].kind, study.selection.max_vif) == (42, "pca", 10.0)
    assert study.algorithms[0].ks == [2, 3, 4]


def test_a_single_section_stands_for_a_list_of_one(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    text = STUDY.format(top="", features="", algorithm='name = "ward"\nk = 3', rest="")
    path.write_text(text.replace("[[algorithms]]", "[algorithms]") + '[encoding]\nkind = "none"\n')
    study = load_study(str(path))
    assert [a.ks for a in study.algorithms] == [[3]]
    assert [e.kind for e in study.encoding] == ["none"]


def test_whole_numbers_stand_for_numbers(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, rest="[choose]\nmin_share = 0\n[selection]\nmax_vif = 5"))
    assert (study.choose.min_share, study.selection.max_vif) == (0.0, 5.0)


def test_limits_are_lifted_by_a_word(tmp_path: Path) -> None:
    lifted = '[selection]\nmax_vif = "none"\nmax_correlation = "none"'
    selection = load_study(write(tmp_path, rest=lifted)).selection
    assert (selection.max_vif, selection.max_correlation) == (None, None)
    with pytest.raises(StudyError, match=r"selection.max_vif = 'no': should be a number"):
        load_study(write(tmp_path, rest='[selection]\nmax_vif = "no"'))


def test_extras_of_parts(tmp_path: Path) -> None:
    reconstructed = '[outliers]\nmethod = "ecod"\nreconstruct = "denoising_autoencoder"'
    result = load_study(write(tmp_path, rest=reconstructed)).extras
    assert result == ["autoencoder", "outliers", "report"]


@pytest.mark.parametrize(
    ("top", "features", "algorithm", "rest", "message"),
    [
        ("seeed = 3", "", KMEANS, "", "unknown key 'seeed'; did you mean 'seed'? (allowed here:"),
        ("", "scail = 1", KMEANS, "", "unknown key 'features.scail'; did you mean 'scale'?"),
        ("", "", KMEANS + "\nks = 3", "", "unknown key 'algorithms[0].ks'; did you mean 'k'?"),
        ("", "", KMEANS, "[chose]\nby = 'rule'", "unknown key 'chose'; did you mean 'choose'?"),
        ("", "", "k = 3", "", "key 'algorithms[0].name' is missing"),
        ("", "", 'name = "kmean"', "", "algorithms[0].name = 'kmean': unknown algorithm; did you"),
        ("seed = '7'", "", KMEANS, "", "seed = '7': should be a whole number"),
        ("seed = true", "", KMEANS, "", "seed = True: should be a whole number"),
        ("seed = -1", "", KMEANS, "", "seed = -1: should be greater than or equal to 0"),
        ("partition_by = 3", "", KMEANS, "", "partition_by = 3: should be text in quotes"),
        ("table = 'x'", "", KMEANS, "", "own.toml is not readable TOML: Cannot overwrite a value"),
        ("", "winsorise = 'no'", KMEANS, "", "features.winsorise = 'no': should be a number"),
        ("", "winsorise = 0.5", KMEANS, "", "features.winsorise = 0.5: should be less than 0.5"),
        ("", "winsorise = nan", KMEANS, "", "features.winsorise = nan: should be a finite number"),
        ("", "missing_indicator = 1", KMEANS, "", "missing_indicator = 1: should be true or false"),
        ("", "exclude = 'a'", KMEANS, "", "features.exclude = 'a': should be a list in brackets"),
        (
            "",
            "scale = 'standart'",
            KMEANS,
            "",
            "features.scale = 'standart': should be 'standard', 'robust', 'minmax', 'yeo_johnson'"
            " or 'none'; did you mean 'standard'?",
        ),
        (
            "",
            "log1p = 'atuo'",
            KMEANS,
            "",
            "features.log1p = 'atuo': should be 'auto' or 'none' or a list in brackets; did you",
        ),
        (
            "",
            "",
            KMEANS,
            "[outliers]\ncontamination = 'aut'",
            "outliers.contamination = 'aut': should be a number or 'auto'; did you mean 'auto'?",
        ),
        (
            "",
            "",
            KMEANS,
            "[outliers]\ncontamination = 0.9",
            "outliers.contamination = 0.9: should be less than or equal to 0.5 or 'auto'",
        ),
        ("", "", 'name = "ward"\nk = "five"', "", "k = 'five': should be a whole number or a list"),
        ("", "", 'name = "ward"\nk = 1', "", "k = 1: k is a number from 2, or a range [from, to]"),
        ("", "", 'name = "ward"\nk = [5, 2]', "", "k is a number from 2, or a range [from, to]"),
        ("", "", 'name = "ward"\nk = [2, 3, 4]', "", "or a list of two whole numbers"),
        ("", "", 'name = "ward"\nk = [2.5, 3]', "", "should be a whole number"),
        ("", "", 'name = "dbscan"\nk = 3', "", "dbscan finds its own number of clusters; leave k"),
        (
            "",
            "",
            'name = "ward"\nparameters = {metric = "cosine"}',
            "",
            "ward has no parameter 'metric' (it takes: none)",
        ),
        (
            "",
            "",
            KMEANS + "\nparameters = {n_inits = 3}",
            "",
            "kmeans has no parameter 'n_inits'; did you mean 'n_init'? (it takes: n_init,",
        ),
        (
            "",
            "",
            'name = "complete"\nparameters = {metric = "cosin"}',
            "",
            "metric = 'cosin' is not 'euclidean' or 'cosine'",
        ),
        (
            "",
            "",
            'name = "dbscan"\nparameters = {eps = [0.5, -1]}',
            "",
            "eps = -1 is not a number above 0",
        ),
        (
            "",
            "",
            'name = "dbscan"\nparameters = {eps = []}',
            "",
            "eps is an empty list; give a number above 0",
        ),
        (
            "",
            "",
            KMEANS + "\nparameters = {n_init = 2.5}",
            "",
            "n_init = 2.5 is not a whole number from 1",
        ),
        (
            "",
            "",
            'name = "hdbscan"\nparameters = {min_cluster_size = true}',
            "",
            "min_cluster_size = True is not a whole number from 2",
        ),
        ("where = {a = []}", "", KMEANS, "", "where.a = []: should be of length 1 or more"),
        ("where = {a = 'x'}", "", KMEANS, "", "where.a = 'x': should be a list in brackets"),
        ("at_least = {a = '3'}", "", KMEANS, "", "at_least.a = '3': should be a number"),
        ("", "", KMEANS, "[choose]\nby = 'bics'", "did you mean 'bic'?"),
        (
            "",
            "",
            KMEANS,
            "[[encoding]]\nkind = 'pac'",
            "encoding[0].kind = 'pac': unknown encoder; did you mean 'pca'? (known: none,",
        ),
        (
            "",
            "",
            KMEANS,
            "[stability]\nshare = 1.0",
            "stability.share = 1.0: should be less than 1",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    tmp_path: Path, top: str, features: str, algorithm: str, rest: str, message: str
) -> None:
    file = write(tmp_path, top, features, algorithm, rest)
    result = refusal(file)
    assert message in result
    assert result.startswith(file)


def test_more_than_one_thing_wrong_is_counted(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, top="seeed = 1\nlabell = 2")).endswith(" (and 1 more)")


def test_missing_keys(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('title = "Own"\ntable = "gold.own"\nentity = "id"\n')
    assert "own.toml: key 'features' is missing (and 1 more)" in refusal(str(path))


@pytest.mark.parametrize("table", ["own_customers", "a.b.c", ".own", "gold."])
def test_a_table_needs_a_schema(tmp_path: Path, table: str) -> None:
    path = Path(write(tmp_path))
    path.write_text(path.read_text().replace("gold.own_customers", table))
    assert f"table = '{table}': table is written schema.name, such as" in refusal(str(path))


def test_unreadable_files(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("title = \n")
    assert "own.toml is not readable TOML: Invalid value (at line 1" in refusal(str(path))
    path.write_bytes(b"title = '\xff\xfe'\n")
    assert "own.toml is not readable TOML" in refusal(str(path))


def test_no_such_study(tmp_path: Path) -> None:
    result = refusal("grocery_custmers")
    assert "no study 'grocery_custmers'; did you mean 'grocery_customers'?" in result
    assert "grocery_stores" in result
    assert "is a folder: name the .toml file in it" in refusal(str(tmp_path))
    write(tmp_path)
    result = refusal(str(tmp_path / "Own.toml"))
    assert "there is no file" in result
    assert "Own.toml; did you mean 'own.toml'?" in result


@pytest.mark.parametrize("name", ["../x", "a b", "a/b", "", "x" * 65, "ü", "a.b"])
def test_a_name_that_is_no_word_is_refused(tmp_path: Path, name: str) -> None:
    assert "name = " in refusal(write(tmp_path, top=f"name = '{name}'"))


def test_a_name_may_be_64_letters(tmp_path: Path) -> None:
    assert load_study(write(tmp_path, top=f"name = '{'aZ0_-' * 12}abcd'")).name.endswith("abcd")
