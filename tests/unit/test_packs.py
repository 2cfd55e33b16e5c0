import json
from pathlib import Path

import pytest

from whatsapp_etl.errors import PackError, SelectorDriftError
from whatsapp_etl.extract.packs import (
    HitCounter,
    PackFile,
    choose_pack,
    load_packs,
    merge_packs,
    usable_packs,
)
from whatsapp_etl.model import HarmlessDialog, SelectorPack
from whatsapp_etl.resources import data_folder

PACK = """
format = 1
id = "2026-01"
observed = { whatsapp_web = "2.3000.1", locale = "en-US", on = 2026-01-05 }

[detect]
priority = 5
present = ["#list"]
absent = [".old"]

[select.list]
candidates = ["#list", "[role=grid]"]
required_on = "ready"

[select.row_text]
candidates = ["span"]

[attribute]
id = "data-id"

[label]
press = ["OK"]

[[dialogs.harmless]]
title = "News"
press = "OK"

[kinds.image]
marks = ["img", { icon = ["camera"] }]
"""


def write(folder: Path, text: str = PACK, name: str = "2026-01.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def make_pack(pack_id: str, priority: int, present=(), absent=(), selectors=None) -> SelectorPack:
    return SelectorPack(pack_id, priority, tuple(present), tuple(absent), selectors or {}, {}, {}, {})


def test_a_pack_is_read_with_everything_it_says(tmp_path):
    write(tmp_path)

    (pack,) = load_packs(tmp_path)

    assert (pack.id, pack.priority, pack.present, pack.absent) == ("2026-01", 5, ("#list",), (".old",))
    assert pack["list"].candidates == ("#list", "[role=grid]")
    assert pack["list"].required_on == "ready"
    assert pack["row_text"].required_on is None
    assert pack.attributes == {"id": "data-id"}
    assert pack.labels == {"press": ("OK",)}
    assert pack.harmless == (HarmlessDialog("News", "OK", ()),)
    assert pack.tables["kinds"]["image"] == {"marks": ("img", {"icon": ("camera",)})}


def test_a_pack_cannot_be_changed_after_reading(tmp_path):
    write(tmp_path)

    (pack,) = load_packs(tmp_path)

    with pytest.raises(TypeError):
        pack.tables["kinds"]["image"] = {}
    with pytest.raises(TypeError):
        pack.labels["press"] = ()


def test_packs_come_with_the_highest_priority_first(tmp_path):
    write(tmp_path)
    write(tmp_path, PACK.replace("2026-01", "2026-02").replace("priority = 5", "priority = 9"), "b.toml")

    assert [pack.id for pack in load_packs(tmp_path)] == ["2026-02", "2026-01"]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("format = 1", "format = 2", "format"),
        ("format = 1", 'format = "1"', "format"),
        ('id = "2026-01"', "", "id"),
        ('id = "2026-01"', 'id = "../x"', "id"),
        ("on = 2026-01-05", 'on = "2026-01-05"', "observed.on"),
        ('locale = "en-US", ', "", "observed.locale"),
        ("priority = 5", "priority = 5.5", "detect.priority"),
        ('present = ["#list"]', "present = []", "detect.present"),
        ('present = ["#list"]', 'present = ["#list"]\nnearby = []', "detect.nearby"),
        ('candidates = ["span"]', "candidates = []", "select.row_text.candidates"),
        ('candidates = ["span"]', 'candidates = "span"', "select.row_text.candidates"),
        ('candidates = ["span"]', 'candidates = [""]', "select.row_text.candidates.0"),
        ('candidates = ["span"]', 'candidate = ["span"]', "select.row_text.candidates"),
        ('required_on = "ready"', "required = true", "select.list.required"),
        ('required_on = "ready"', 'required_on = "always"', "select.list.required_on"),
        ('id = "data-id"', "id = 5", "attribute.id"),
        ('press = ["OK"]', 'press = "OK"', "label.press"),
        ("format = 1", "format = 1\nlabels = 5", "labels"),
        ("[kinds.image]", "[kind.image]", "kind"),
        ("[attribute]", "[attributes]", "attributes"),
    ],
)
def test_a_pack_of_another_shape_is_refused_naming_file_and_key(tmp_path, old, new, key):
    assert old in PACK
    path = write(tmp_path, PACK.replace(old, new))

    with pytest.raises(PackError) as refused:
        load_packs(tmp_path)

    assert f"{path}: {key}: " in str(refused.value)


def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path):
    path = write(tmp_path, "format = ")

    with pytest.raises(PackError, match=r"is not a TOML file") as refused:
        load_packs(tmp_path)

    assert str(path) in str(refused.value)


def test_two_packs_of_one_id_are_refused(tmp_path):
    write(tmp_path)
    write(tmp_path, name="copy.toml")

    with pytest.raises(PackError, match="2026-01"):
        load_packs(tmp_path)


def test_a_folder_without_packs_is_an_error(tmp_path):
    with pytest.raises(PackError, match="no selector pack"):
        load_packs(tmp_path)


def test_the_published_schema_is_the_one_that_is_checked():
    published = json.loads((data_folder("selectors") / "schema.json").read_text(encoding="utf-8"))

    assert published == PackFile.model_json_schema()


def test_the_pack_with_the_highest_priority_of_those_that_fit_is_chosen():
    old = make_pack("old", 1, present=["#list"])
    new = make_pack("new", 2, present=["#list", ".new"])

    assert choose_pack([old, new], {"#list": True, ".new": True}.__getitem__).id == "new"
    assert choose_pack([old, new], {"#list": True, ".new": False}.__getitem__).id == "old"


def test_a_pack_does_not_fit_where_something_absent_is_there():
    pack = make_pack("old", 1, present=["#list"], absent=[".new"])

    with pytest.raises(SelectorDriftError, match="old"):
        choose_pack([pack], {"#list": True, ".new": True}.__getitem__)


def test_no_fitting_pack_names_all_that_were_tried():
    packs = [make_pack("a", 1, present=["#a"]), make_pack("b", 2, present=["#b"])]

    with pytest.raises(SelectorDriftError, match="tried: a, b"):
        choose_pack(packs, lambda _: False)


def test_a_forced_pack_is_taken_without_looking():
    packs = [make_pack("a", 1, present=["#a"]), make_pack("b", 2, present=["#b"])]

    assert choose_pack(packs, lambda _: False, forced="a").id == "a"
    assert [pack.id for pack in usable_packs(packs, "a")] == ["a"]
    assert [pack.id for pack in usable_packs(packs)] == ["a", "b"]


def test_forcing_an_unknown_pack_names_the_known_ones():
    with pytest.raises(PackError, match="one of: a"):
        choose_pack([make_pack("a", 1)], lambda _: False, forced="z")


def test_merged_packs_try_every_candidate_the_newest_first(tmp_path):
    write(tmp_path)
    newer = PACK.replace("2026-01", "2026-02").replace("priority = 5", "priority = 9")
    write(
        tmp_path,
        newer.replace('["#list", "[role=grid]"]', '["[data-testid=list]", "#list"]')
        .replace('press = ["OK"]', 'press = ["Continue", "OK"]')
        .replace('id = "data-id"', 'id = "data-key"'),
        "b.toml",
    )

    merged = merge_packs(load_packs(tmp_path))

    assert merged["list"].candidates == ("[data-testid=list]", "#list", "[role=grid]")
    assert merged["list"].required_on is None
    assert merged.labels["press"] == ("Continue", "OK")
    assert merged.harmless == (HarmlessDialog("News", "OK"),)
    assert merged.attributes["id"] == "data-key"


def test_hits_are_counted_by_candidate():
    hits = HitCounter()

    hits.hit("list", "#list")
    hits.hit("list", "[role=grid]")
    hits.hit("list", "#list")

    assert hits.counts() == {("list", "#list"): 2, ("list", "[role=grid]"): 1}


@pytest.mark.parametrize("pack", load_packs(data_folder("selectors")), ids=lambda pack: pack.id)
def test_every_shipped_pack_knows_the_parts_that_tell_the_state(pack):
    parts = {"app_root", "splash", "qr_code", "qr_screen", "qr_reload", "loading", "chat_list_pane", "dialog"}

    assert parts <= set(pack.selectors)
    assert pack["chat_list_pane"].required_on == "ready"
    assert pack.harmless
    assert {"dialog_around", "dialog_button"} <= set(pack.selectors)
    # Of the answers that cost something none is ever given.
    pressed = {text for each in pack.harmless for text in (each.press, *each.beside)}
    assert not pressed & {"Log out", "Delete", "Allow", "OK", "Use here", "Send", "Turn on"}
