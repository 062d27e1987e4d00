-- SPDX-License-Identifier: GPL-2.0-only
local cache, i = {}, 0
while true do
	for _ = 1, 2000 do
		i = i + 1
		local words = {}
		for n = 0, i % 50 do
			words[#words + 1] = "x" .. n .. i % 100
		end
		cache[i % 5000] = table.concat(words, ",")
	end
	os.execute("sleep 0.2")
end
