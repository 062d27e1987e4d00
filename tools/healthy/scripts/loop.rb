# SPDX-License-Identifier: GPL-2.0-only
cache = {}
i = 0
loop do
  100.times do
    i += 1
    cache[i % 5000] = (0..i % 50).map { |n| "x#{n}" }.join(",")
    cache[i % 5000].scan(/x(\d+)/)
  end
  sleep 0.01
end
