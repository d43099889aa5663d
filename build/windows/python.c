/* python.exe for the assembled interpreter: python313.dll holds all of Python but its main(). */
#include <stdio.h>
#include <windows.h>

int wmain(int argc, wchar_t **argv)
{
    HMODULE python = LoadLibraryW(L"python313.dll");
    if (python == NULL) {
        fputs("python313.dll cannot be loaded\n", stderr);
        return 127;
    }
    int (*run)(int, wchar_t **) = (int (*)(int, wchar_t **))(void *)GetProcAddress(python, "Py_Main");
    return run(argc, argv);
}
