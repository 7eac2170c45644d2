"""Support: the actions of support staff and operators, such as corrections, renamings and retirement."""
