"""What only a call needs: a quarter of the start.

The media thread imports it soon after the start, so that the start does not wait for it, and the
first call only when it comes at once. Whoever makes one of these imports it there and then, and
says so.
"""

from __future__ import annotations

from applet.audio.file import NullDevice as NullDevice
from applet.media.session import MediaSession as MediaSession
from applet.phone.attempts import Attempts as Attempts
from applet.phone.call import Call as Call
from applet.phone.call_side import CallSide as CallSide
from applet.phone.services import Services as Services
from applet.phone.surroundings import Surroundings as Surroundings
from applet.sip import services as services
from applet.threads.file_reader import read_file as read_file
from applet.threads.ice import IcePath as IcePath
from applet.threads.media_call import Parts as Parts
from applet.threads.media_call import make_call as make_call
from applet.threads.rehearsal import rehearse as rehearse
from applet.threads.ways import Ways as Ways
