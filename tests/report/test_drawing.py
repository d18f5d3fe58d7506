from debugset.report.drawing import drawing, svg


def test_words_in_a_drawing_are_escaped_and_not_mathematics():
    with drawing(1, 1, (2.0, 2.0)) as (figure, axes):
        axes[0].set_title("<b>$x & y$</b>")
        text = svg(figure, "one", 'a "drawing"')
    assert "&lt;b&gt;$x &amp; y$&lt;/b&gt;" in text
    assert "<b>" not in text
    assert 'aria-label="a &#34;drawing&#34;"' in text


def test_two_drawings_share_no_id():
    parts = []
    for name in ("one", "two"):
        with drawing(1, 1, (2.0, 2.0)) as (figure, axes):
            axes[0].plot([0, 1], [0, 1], "o")
            parts.append(svg(figure, name, name))
    ids = [set(part.split(' id="')[1:]) for part in parts]
    assert ids[0]
    assert not {item.partition('"')[0] for item in ids[0]} & {item.partition('"')[0] for item in ids[1]}
