# Stan programs as a build step:
#
#   include(Stan2onnx)
#   stan2onnx_add_model(TARGET schools MODEL schools.stan DATA schools.json OUTPUT schools.onnx EMIT log-density)
#
# makes the target `schools`, which keeps schools.onnx in the build folder up to date with the program, the files it includes and the
# data. EMIT (default log-density), DATA and OPTIONS (further options of the command) may be left out.
find_program(STAN2ONNX_COMMAND NAMES stan2onnx)

function(stan2onnx_add_model)
  cmake_parse_arguments(A "" "TARGET;MODEL;DATA;OUTPUT;EMIT" "OPTIONS" ${ARGN})
  foreach(needed TARGET MODEL OUTPUT)
    if(NOT A_${needed})
      message(FATAL_ERROR "stan2onnx_add_model needs ${needed}")
    endif()
  endforeach()
  get_filename_component(model ${A_MODEL} ABSOLUTE)
  get_filename_component(output ${A_OUTPUT} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_BINARY_DIR})
  set(arguments ${model} -o ${output} --depfile ${output}.d ${A_OPTIONS})
  set(depends ${model})
  if(A_EMIT)
    list(APPEND arguments --emit ${A_EMIT})
  endif()
  if(A_DATA)
    get_filename_component(data ${A_DATA} ABSOLUTE)
    list(APPEND arguments --data ${data})
    list(APPEND depends ${data})
  endif()
  if(TARGET stan2onnx)
    set(command $<TARGET_FILE:stan2onnx>)
    list(APPEND depends stan2onnx)
  else()
    set(command ${STAN2ONNX_COMMAND})
  endif()
  add_custom_command(OUTPUT ${output} COMMAND ${command} ${arguments} DEPENDS ${depends} DEPFILE ${output}.d
                     COMMENT "Compiling ${A_MODEL} to ONNX" VERBATIM)
  add_custom_target(${A_TARGET} ALL DEPENDS ${output})
endfunction()
