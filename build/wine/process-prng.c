/* bcryptprimitives.dll, which the programs of Rust need and older versions of Wine lack. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG); /* RtlGenRandom, of advapi32. */

__declspec(dllexport) BOOL ProcessPrng(BYTE *data, SIZE_T size) {
    return SystemFunction036(data, (ULONG)size);
}
