"""Prints the name of the root element of an XML file, or fails where it is not well-formed: well_formed.py FILE"""
import sys
import xml.etree.ElementTree

print(xml.etree.ElementTree.parse(sys.argv[1]).getroot().tag.split("}")[-1])
