"""Formats values and searches them as the AWS CLI does, many in one process.

Reads a JSON list of {"value": ..., "format": "...", "query": "..."} from standard input and writes a
JSON list of {"stdout": "..."}, {"error": "..."} where the program refuses, or {"crash": "..."} where it
fails in a way that nobody meant.
"""
import argparse
import io
import json
import sys

import jmespath
from awscli.formatter import get_formatter

results = []
for case in json.load(sys.stdin):
    stream = io.StringIO()
    try:
        query = case.get("query")
        arguments = argparse.Namespace(
            query=None if query is None else jmespath.compile(query), color="off"
        )
        get_formatter(case["format"], arguments)("Title", case["value"], stream)
        results.append({"stdout": stream.getvalue()})
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        results.append({"crash": str(error)})
    except Exception as error:
        results.append({"error": str(error)})
json.dump(results, sys.stdout)
