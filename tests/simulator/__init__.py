"""A simulated camera before simulated people, prints and screens, for the judging of liveness.

people    heads: a texture over a height field, in a body that does not turn with them
rays      where a camera's rays meet a head, a sheet, a screen
scene     a room, its lamps, its camera; what stands in front of it becomes a picture
camera    exposure, blur, noise, gamma, sharpening, in the order of a real one
actor     a willing person, who does what is asked
objects   sheets and screens: planes and cylinders, and the patterns that they are made of
portraits photos of the people; photos: people of photos
living, prints, screens   who and what is presented
attacks   the species of presentation, each by its seed
session   the closed loop: instruction, movement, picture, judge
y4m       the same as a camera of Chromium's

People, rooms and cameras of even seeds are for fitting limits, those of odd seeds for testing.

Units: metres, seconds, radians unless named otherwise; a head's own are half the width of a face
(`people.UNIT` metres). In the room, x is the picture's right, y down, z away from the camera.
Light is linear, of any scale, float32; pictures are uint8 RGB.
"""
