"""XLA's interface as our header declares it, against the header of the jaxlib that is installed."""

import subprocess
from pathlib import Path

import jaxlib
import pytest

from tests.native.c_compiler import SOURCES, compile_c

HEADER = Path(jaxlib.__file__).parent / "include/xla/ffi/api/c_api.h"
FIRST = "struct_size extension_start "
MEMBERS = {
    "XLA_FFI_Api_Version": FIRST + "major_version minor_version",
    "XLA_FFI_Metadata": "struct_size api_version traits state_type_id",
    "XLA_FFI_Metadata_Extension": "extension_base extension_base.type extension_base.next metadata",
    "XLA_FFI_Buffer": FIRST + "dtype data rank dims",
    "XLA_FFI_ByteSpan": "ptr len",
    "XLA_FFI_Scalar": "dtype value",
    "XLA_FFI_Args": FIRST + "size types types[0] args",
    "XLA_FFI_Rets": FIRST + "size types types[0] rets",
    "XLA_FFI_Attrs": FIRST + "size types types[0] names attrs",
    "XLA_FFI_CallFrame": FIRST + "api ctx stage args rets attrs",
    "XLA_FFI_Error_Create_Args": FIRST + "message errc",
    "XLA_FFI_Error_Destroy_Args": FIRST + "error",
    "XLA_FFI_ThreadPool_Schedule_Args": FIRST + "task data",
    "XLA_FFI_ThreadPool_NumThreads_Args": FIRST + "num_threads",
    "XLA_FFI_Stream_Get_Args": FIRST + "ctx stream",
    "XLA_FFI_Api": FIRST + "api_version internal_api XLA_FFI_Error_Create XLA_FFI_Error_Destroy "
    "XLA_FFI_Stream_Get XLA_FFI_ThreadPool_Schedule XLA_FFI_ThreadPool_NumThreads",
}
NUMBERS = (
    "XLA_FFI_Extension_Metadata",
    "XLA_FFI_Error_Code_INVALID_ARGUMENT",
    "XLA_FFI_DataType_S8",
    "XLA_FFI_DataType_S32",
    "XLA_FFI_DataType_U8",
    "XLA_FFI_DataType_U32",
    "XLA_FFI_DataType_F32",
    "XLA_FFI_AttrType_SCALAR",
)


def layout(header, folder):
    """Offset and size of every member, and every number, as a header has them."""
    lines = [f'#include "{header}"', "#include <stdio.h>", "int main(void) {"]
    for struct, members in MEMBERS.items():
        for member in members.split():
            at = "0" if "[" in member else f"offsetof({struct}, {member})"
            size = f"sizeof((({struct} *)0)->{member})"
            lines.append(f'printf("{struct}.{member} %zu %zu\\n", (size_t){at}, {size});')
    lines += [f'printf("{number} %d\\n", (int){number});' for number in NUMBERS]
    lines += ['printf("%d %d\\n", XLA_FFI_API_MAJOR, XLA_FFI_API_MINOR);', "return 0;", "}"]
    source, program = folder / "layout.c", folder / "layout"
    source.write_text("\n".join(lines))
    compile_c(program, [source])
    out = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    *rest, version = out.splitlines()
    return rest, tuple(map(int, version.split()))


@pytest.mark.skipif(not HEADER.is_file(), reason="a jaxlib without its headers")
def test_equals_the_header_of_jaxlib(tmp_path):
    ours, version = layout(SOURCES / "common/xla_ffi.h", tmp_path)
    theirs, newest = layout(HEADER, tmp_path)
    assert ours == theirs
    assert version[0] == newest[0]
    assert version[1] <= newest[1]
