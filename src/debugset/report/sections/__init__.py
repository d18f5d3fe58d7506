"""The report's sections: a module each, with a template of the same name.

A section is a module with ``SHORT`` (its name in the list of sections), ``TITLE``, ``NEEDS`` (the files
without which it only says what is missing) and ``context(inputs)``, which returns what its template shows beside
``inputs`` itself, or None if there is nothing to say: then the section is left out.
To add one, write the module and the template and name the module in `debugset.report.page.SECTIONS`.
"""
