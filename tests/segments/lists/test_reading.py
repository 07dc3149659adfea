"""Files of external ids as people have them."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segments.services.imports.layouts import HEAD, Choice
from segments.services.imports.reading import MAX_FAULTS, MAX_LINE, CannotRead, IdFile, Limits, file_columns

LIMITS = Limits(size=4 << 20, lines=1000)


def read(content, name="ids.csv", limits=LIMITS):
    raw = content.encode() if isinstance(content, str) else content
    source = IdFile(stream=io.BytesIO(raw), name=name, limits=limits)
    return list(source), source


def ids(content, name="ids.csv"):
    return [value for _line, value in read(content, name)[0]]


@pytest.mark.parametrize(
    "content",
    [
        "ann\nbob\n",
        "ann\r\nbob",
        "ann\rbob\r",
        "\n\n ann \n\n\tbob\n\n",
        '"ann"\n"bob"\n',
        "external_id\nann\nbob\n",
        "\ufeffexternal_id\nann\nbob\n",
        "External ID\nann\nbob\n",
        "name,user_id\nAnn,ann\nBob,bob\n",
        'name;customer-id;x\n"Ann; the first";ann;\nBob;bob;\n;;\n',
        "id\tname\nann\tA\nbob\tB\n",
        'name,external_id,id\n"A\nnn",ann,7\n"B ""x""",bob,8\n',
        "ann,Ann\nbob,Bob\n",
        'ann,"A\nnn"\nbob,"B\nob"',
        'id,"first\nname"\nann,"A"\nbob,B',
    ],
)
def test_the_ids_are_found_whatever_the_lines_and_columns_look_like(content):
    assert ids(content) == ["ann", "bob"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_ids_are_read_in_the_encodings_that_spreadsheets_write(encoding):
    assert ids("external_id\nJosé\nmüller-7\n".encode(encoding)) == ["José", "müller-7"]


def test_a_file_in_utf_8_up_to_its_end_and_one_that_is_so_only_at_first_are_told_apart():
    many = "".join(f"user-{n}\n" for n in range(900)).encode()
    assert ids(many + "José".encode())[-1] == "José"
    assert ids(many + "José".encode("latin-1"))[-1] == "José"


def test_line_numbers_are_those_of_the_file():
    rows, source = read("\nname,id\n\nAnn,ann\n" + "\n" * 3 + "Bob,bob\n")
    assert rows == [(4, "ann"), (8, "bob")]
    assert source.skipped == 0


def test_a_plain_list_keeps_ids_with_commas_in_them():
    assert ids("a,b\nc;d\n", name="ids.txt") == ["a,b", "c;d"]
    assert ids("sep=,\na,b\nc,d\n", name="ids.txt") == ["a", "c"]


def test_a_quotation_mark_inside_of_a_text_cell_is_one_of_the_id():
    assert ids('="id"\n="ann"\n="b""ob"\n') == ["ann", 'b"ob']


def test_what_can_be_no_id_is_skipped_and_named_by_its_line():
    rows, source = read("id,name\nann,1\n,2\n" + "x" * 256 + ",3\nb\x00b,4\nc\u202ec,5\nbob,6\n")
    assert rows == [(2, "ann"), (7, "bob")]
    assert source.skipped == 4
    assert [fault["line"] for fault in source.faults] == [3, 4, 5, 6]
    assert "empty" in source.faults[0]["problem"]
    assert "255 characters" in source.faults[1]["problem"]
    assert "U+0000" in source.faults[2]["problem"]


def test_only_the_first_faults_are_named_and_all_are_counted():
    _rows, source = read("id,name\n" + ",x\n" * 300)
    assert (source.skipped, len(source.faults)) == (300, MAX_FAULTS)


def test_the_apostrophe_that_the_export_puts_before_formulas_is_taken_off():
    assert ids("id\n'=1+1\n'-5\n'quoted\n-7\n") == ["=1+1", "-5", "'quoted", "-7"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04" + b"\x00" * 100, "Excel workbook"),
        (b"\x1f\x8b\x08" + b"\x00" * 100, "gzip"),
        (b"%PDF-1.7\n", "PDF"),
        (b"ann\n" + b"\xff\x81\x81\n", "line 2 it is not UTF-8, UTF-16 or Latin-1"),
        ("a\nb".encode("utf-16") + b"\x00", "not UTF-16"),
        ("a\n" * 1001, "more than 1,000 lines"),
        ("\n" * 1001, "more than 1,000 lines"),
        ("a" * (MAX_LINE + 1), "Line 1 is longer"),
        ("ann\n" + "a" * (MAX_LINE * 3), "Line 2 is longer"),
        (b"\x00" * (MAX_LINE * 2), "Line 1 is longer"),
        ('id,name\nann,"open\n' + ("bob,x" * 50 + "\n") * 900, "line 2 a quotation mark opens"),
        ('id,name\nann,A\nbob,"open\ncem,C\n', "line 3 a quotation mark opens"),
        ('ann,"A\nbob,B\n', "line 1 a quotation mark opens"),
        ('external_id\n"demo-0056\ndemo-0057\n', "line 2 a quotation mark opens"),
        ('ann\nbob\n"cem', "line 3 a quotation mark opens"),
        (b"x\n" * (3 << 20), "larger than 4 MB"),
    ],
)
def test_what_is_no_list_of_ids_is_refused_in_words(content, says):
    with pytest.raises(CannotRead, match=says):
        read(content)


def test_an_empty_file_holds_nothing():
    assert ids("") == ids("\n \n") == ids("external_id\n") == []


class Endless(io.RawIOBase):
    """One line without an end, of which nobody may ask for more than a little at a time."""

    def __init__(self, size):
        self.size, self.at, self.most = size, 0, 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=0):
        self.at = offset
        return offset

    def tell(self):
        return self.at

    def read(self, size=-1):
        assert 0 <= size <= 1 << 20
        taken = min(size, self.size - self.at)
        self.at += taken
        return b"x" * taken

    read1 = read

    def readinto(self, buffer):
        taken = self.read(min(len(buffer), 1 << 20))
        buffer[: len(taken)] = taken
        return len(taken)


def test_a_single_endless_line_is_refused_after_a_little_of_it():
    stream = Endless(1 << 28)
    with pytest.raises(CannotRead, match="longer than"):
        list(IdFile(stream=stream, name="ids.txt", limits=Limits(size=2 << 30, lines=10)))
    assert stream.at < 1 << 20
    with pytest.raises(CannotRead, match="larger than 64 MB"):
        list(IdFile(stream=stream, name="ids.txt", limits=Limits(size=64 << 20, lines=10)))
    assert stream.at < 66 << 20


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\nname;id\nAnn;ann\nBob;bob\n",
        '"sep=;"\r\nid;name\r\nann;A\r\nbob;B\r\n',
        "SEP=|\nid|name\nann|A\nbob|B\n",
        "sep=\\t\nname\tid\nA\tann\nB\tbob\n",
        "\ufeffsep=,\n\nid\nann\nbob\n",
        "name|id\nAnn|ann\nBob|bob\n",
        "id,external_user_id\n1,ann\n2,bob\n",
        "id;name;External-User-ID\n1;A;ann\n2;B;bob\n",
        "userId,externalId\n1,ann\n2,bob\n",
        '="id"\n="ann"\n="bob"\n',
        'name,ID\nA,="ann"\nB,"=""bob"""\n',
    ],
)
def test_ids_are_read_as_the_spreadsheet_meant_them(content):
    assert ids(content) == ["ann", "bob"]
    assert ids(content.encode("utf-16")) == ["ann", "bob"]


def test_a_line_that_names_the_separator_keeps_the_line_numbers():
    assert read("sep=;\nid;x\nann;1\n")[0] == [(3, "ann")]


@pytest.mark.parametrize(
    "value",
    [
        "7.00E+11",
        "7E+11",
        "7,00E+11",
        "1.234e+15",
        "9.1E+2",
        "7.00E11",
        "-7.00E+11",
        "+7.00E+11",
        "7,00e11",
        "12E+5",
        "12.5E+9",
        "7.00E-11",
        "1.5E-1",
        "0.5E+1",
    ],
)
def test_a_number_that_lost_digits_is_refused_with_its_line(value):
    rows, source = read(f"id;x\nann;1\n{value};2\nbob;3\n")
    assert rows == [(2, "ann"), (4, "bob")]
    assert [fault["line"] for fault in source.faults] == [3]
    assert value in source.faults[0]["problem"]
    assert "as text" in source.faults[0]["problem"]


def test_a_number_that_has_all_its_digits_and_ids_that_only_look_like_one_are_kept():
    assert ids("id\n1.23456789012E+11\n-1.23E2\n7e11\nE+7\na1E+11\nv1.2e\n1.2\n") == [
        "123456789012", "-123", "7e11", "E+7", "a1E+11", "v1.2e", "1.2",
    ]  # fmt: skip


def columns(content, name="ids.csv"):
    return file_columns(head=content.encode() if isinstance(content, str) else content, name=name)


def test_the_beginning_of_a_file_shows_its_columns_and_the_one_that_would_be_taken():
    found = columns('sep=;\nname;External ID;id\nAnn;="a1";1\nBob;b2;2\nCem;c3;3\nDan;d4;4\n')
    assert found.names == ("name", "External ID", "id")
    assert (found.column, found.header) == (1, True)
    assert found.samples[1] == ("a1", "b2", "c3")
    plain = columns("a1,Ann\nb2,Bob\n".encode("utf-16"))
    assert (plain.names, plain.column, plain.header) == (("Column 1", "Column 2"), 0, False)
    assert plain.samples == (("a1", "b2"), ("Ann", "Bob"))


def test_a_beginning_is_shown_within_bounds_and_to_its_last_whole_line():
    wide = columns(",".join(["x" * 61] * 101) + "\n")
    assert len(wide.names) == len(wide.samples) == 100
    assert {value for sample in wide.samples for value in sample} == {"x" * 60}
    cut = columns("id,name\n" + f"1,{'x' * 50}\n2,Bob\n3,{'y' * HEAD}\n")
    assert cut.samples[0] == ("1", "2")


@pytest.mark.parametrize("content", ["", "\n \n", "sep=;\n", "\ufeff"])
def test_a_file_without_a_line_shows_no_columns(content):
    assert columns(content) is None


_ODD_TEXT = st.text('id;,|\t"=\n\rsep a1', max_size=80)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode), _ODD_TEXT.map(str.encode)))
def test_no_beginning_of_a_file_raises_anything_but_a_refusal(head):
    try:
        found = file_columns(head=head, name="x.csv")
    except CannotRead:
        return
    assert found is None or 0 <= found.column < len(found.names) == len(found.samples)


def test_what_the_beginning_shows_is_what_is_read():
    content = "id,external_user_id\n1,ann\n2,bob\n"
    shown = columns(content)
    assert list(shown.samples[shown.column]) == ids(content)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [(Choice(2, header=True), ["x1", "x2"]), (Choice(0, header=False), ["id", "1", "2"]), (Choice(9, header=True), [])],
)
def test_a_chosen_column_wins_over_the_guess(choice, expected):
    source = IdFile(stream=io.BytesIO(b"id,name,crm\n1,Ann,x1\n2,Bob,x2\n"), name="a.csv", limits=LIMITS, choice=choice)
    assert [value for _line, value in source] == expected


# --- what spreadsheets and databases write around a list ---
@pytest.mark.parametrize(
    "content",
    [
        "Customers of November\nid;name\nann;Ann\nbob;Bob\n",
        "Customers of November;\nid;name\nann;Ann\nbob;Bob\n",
        "\ufeffCustomers of November;;\n;;\n;;\nname;id;x\nAnn;ann;1\nBob;bob;2\n",
        "Report,2026-11-30\nBy,Ann,\n\nname,external_id,country\nAnn,ann,GR\nBob,bob,GR\n",
        '"Customers, all of them"\n\nname,user_id\nAnn,ann\nBob,bob\n',
        "Customers of November\nexternal_id\nann\nbob\n",
        "November\n\nexternal_id\nann\nbob\n",
        ";;\n\n;;\nid;name;x\nann;Ann;\nbob;Bob;\n",
        "sep=;\nCustomers of November;\n\nid;name\nann;Ann\nbob;Bob\n",
        "id;name\nann;Ann\nid;name\nbob;Bob\n",
        "external_id\nann\nexternal_id\nbob\n",
        "id;name\nann;Ann\nbob;Bob\nTotal;2\n",
        "id;name\nann;Ann\nbob;Bob\n;;\nGrand total: 2;\n",
        "id\nann\nbob\nИтого\n",
        "ann\nbob\nTotal: 2\n",
        "external_id\n-----------\nann\nbob\n\n(2 rows affected)\n",
        " external_id | name \n-------------+------\n ann         | Ann\n bob         | Bob\n(2 rows)\n",
        "external_id\n\u00a0ann\u00a0\n\u200bbob\n",
        "external\u00a0id\nann\n\ufeffbob\n",
    ],
)
def test_what_stands_around_a_list_is_no_part_of_it(content):
    assert ids(content) == ["ann", "bob"]
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert ids(f"\ufeff{content}".encode(encoding)) == ["ann", "bob"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("ann\nbob\nid\n", ["ann", "bob", "id"]),  # an id that is called so
        ("ann;Ann\nbob;Bob\nid;name\n", ["ann", "bob", "id"]),
        ("ann\nbob\ntotal\n", ["ann", "bob", "total"]),
        ("id\ntotal\nbob\n", ["total", "bob"]),  # not at the end
        ("id\nann\ntotal-eclipse\n", ["ann", "total-eclipse"]),
        ("id\nann\nsum 41b\n", ["ann", "sum 41b"]),
        ("---\nann\n", ["---", "ann"]),
    ],
)
def test_an_id_that_looks_like_something_else_stays_an_id(content, expected):
    assert ids(content) == expected


def test_what_was_left_out_is_named_by_its_line_and_a_title_shifts_no_line():
    rows, source = read("Customers of November\n\nid;name\nann;Ann\nid;name\nbob;Bob\nTotal;2\n")
    assert rows == [(4, "ann"), (6, "bob")]
    assert [(fault["line"], fault["problem"]) for fault in source.faults] == [
        (5, "This is the heading again, not an id."),
        (7, "This is the total of the list, not an id."),
    ]


def test_a_number_with_blanks_between_its_thousands_is_that_number():
    assert ids("id;name\n1\u00a0234\u00a0567;Ann\n12\u202f345;Bob\n") == ["1234567", "12345"]
    assert ids("id\nann 7\n") == ["ann 7"]


def test_the_page_shows_the_columns_below_a_title():
    shown = file_columns(head="Customers of November;\n;\nname;id\nAnn;ann\n".encode("utf-16"), name="ids.csv")
    assert (shown.names, shown.column, shown.header) == (("name", "id"), 1, True)
    assert shown.samples == (("Ann",), ("ann",))


def test_the_column_that_was_chosen_is_taken_below_a_title():
    content = b"Customers of November\nname;code;id\nAnn;ann;1\nBob;bob;2\n"
    source = IdFile(stream=io.BytesIO(content), name="ids.csv", limits=LIMITS, choice=Choice(column=1, header=True))
    assert [value for _line, value in source] == ["ann", "bob"]
