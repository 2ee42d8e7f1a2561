"""Values to HTML, pictures and plain text: what a person sees of a job.

Everything is rendered to a string first, and nothing here knows a notebook: the
room above decides where a bundle goes. What comes from outside (prompts, names,
the API's words) is escaped by the templates and loses its control characters.

The HTML has to live in an *untrusted* notebook, where a sanitiser drops scripts,
style sheets and many properties. Hence inline styles only, colours that inherit,
pictures cropped before they are embedded, and `mathjax_ignore` on the outermost
element, without which `$5 … $6` in a prompt would be typeset as mathematics.
"""
