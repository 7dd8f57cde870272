"""Gowin platforms on nextpnr-himbaechel, which took the place of nextpnr-gowin."""


class HimbaechelMixin:
    """Calls ``nextpnr-himbaechel-gowin``; comes before a `GowinPlatform` among the bases."""

    required_tools = ("yosys", "nextpnr-himbaechel-gowin", "gowin_pack")

    def iter_port_constraints_bits(self):
        """Constraints of all ports but those that are none of the board's, without a pin."""
        for name, port, _ in self._design.ports:
            for bit, pin in enumerate(port.metadata):
                if pin is not None:
                    yield (name if len(port) == 1 else f"{name}[{bit}]"), pin.name, pin.attrs

    @property
    def command_templates(self):
        """The commands of the platform, place and route exchanged."""
        yosys, _, pack = self._apicula_command_templates
        place = r"""
        {{invoke_tool("nextpnr-himbaechel-gowin")}}
            {{quiet("--quiet")}}
            {{get_override("nextpnr_opts")|options}}
            --log {{name}}.tim
            --device {{platform.part}}
            --vopt family={{platform._chipdb_device}}
            --vopt cst={{name}}.cst
            --json {{name}}.syn.json
            --write {{name}}.pnr.json
        """
        return [yosys, place, pack]
