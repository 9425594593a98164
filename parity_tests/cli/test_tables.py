"""The table that the commands print."""

from npgpt.cli.tables import print_table


def test_a_table_is_never_cut_whatever_the_terminal_s_width(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    long = "a_name_of_more_than_twenty_characters"
    print_table(["", "errors of it", "more"], [[long, "1.0%"], ["[b]", ":cat:", "3"]], "[title]")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "[title]"        # no markup
    assert [line.split() for line in lines if long in line] == [[long, "1.0%"]]
    assert ["[b]", ":cat:", "3"] in [line.split() for line in lines]
    head = next(line for line in lines if "errors of it" in line)
    first = next(line for line in lines if long in line)
    assert first.index(long) < 3                # to the left, the others to the right
    assert first.index("1.0%") + 4 == head.index("errors of it") + 12
