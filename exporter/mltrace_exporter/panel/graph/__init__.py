"""A lineage as a picture: pure functions from a trace to boxes, to coordinates, to SVG and text.

`diagram` says what is drawn, `layout` where, `drawing` puts both together for the template
``drawing.svg``; `outline` is the same as a nested list, `mermaid` as text for other programs.
"""
