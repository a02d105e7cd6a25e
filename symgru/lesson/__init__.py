"""The worked example as a document free of any format: what it says, in which order, at which length.

`outline` turns an explanation into `parts` (headings, paragraphs, equations, steps, tables, pictures, ...); a document
backend prints each kind of part in its own way. A text or formula within a part is a function of the dialect that it is
printed in, so that every format prints its own and none is converted from another.
"""
