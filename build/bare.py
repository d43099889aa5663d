"""The bare program that ours is measured against: the same libraries, a window and a tray icon."""

import threading
import tkinter

import pyaudio
import pystray
import stun
from PIL import Image

window = tkinter.Tk()
window.title("Bare")
tkinter.Label(window, text=f"{pyaudio.__version__} {stun.__name__}").pack(padx=120, pady=200)
icon = pystray.Icon("bare", Image.new("RGB", (64, 64), "#2563eb"), "Bare")
threading.Thread(target=icon.run, daemon=True).start()
window.mainloop()
